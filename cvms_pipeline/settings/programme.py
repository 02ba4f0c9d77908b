"""The settings of the vaccination programme: its name, groups and texts.

They are what another state or another programme changes.  Texts for recipients are in
English and Spanish; the Spanish ones have `_ES` at the end of their names.
"""

from typing import Annotated

import pydantic

from cvms_pipeline.settings import variables

_GROUPS = "|".join(
    (
        "Group 1: Health care workers, and long-term care staff and residents",
        "Group 2: Adults 65 years or older",
        "Group 3: Frontline essential workers",
        "Group 4: Adults at higher risk, and other essential workers",
        "Group 5: Everyone else",
    )
)
_GROUPS_ES = "|".join(
    (
        "Grupo 1: Personal de salud, y personal y residentes de cuidados a largo plazo",
        "Grupo 2: Adultos de 65 años o más",
        "Grupo 3: Trabajadores esenciales de primera línea",
        "Grupo 4: Adultos con mayor riesgo y otros trabajadores esenciales",
        "Grupo 5: Todas las demás personas",
    )
)
_PURPOSE = (
    "This portal is for people whom their health care location, their employer or"
    " another organization has registered for a COVID-19 vaccination."
)
_PURPOSE_ES = (
    "Este portal es para las personas que su centro de salud, su empleador u otra"
    " organización ha registrado para una vacunación contra el COVID-19."
)


def split_list(text: str) -> tuple[str, ...]:
    """Return the parts of a list, which has `|` between them."""
    return tuple(part.strip() for part in text.split("|") if part.strip())


def _check_groups(text: str | None) -> str | None:
    if text is None:
        return None
    groups = split_list(text)
    if not groups:
        raise ValueError("must name at least one group")
    if len(set(groups)) < len(groups):
        raise ValueError("must name each group once")
    return text


_Groups = Annotated[str, pydantic.AfterValidator(_check_groups)]
_OptionalGroups = Annotated[str | None, pydantic.AfterValidator(_check_groups)]


class Programme(variables.Group):
    """The vaccination programme, as recipients see it."""

    name: str = variables.field(
        "CVMS_PROGRAMME_NAME",
        "COVID-19 Vaccine Portal",
        example="COVID-19 Vaccine Portal",
        min_length=1,
    )
    """What recipients call the portal, in English."""

    name_es: str = variables.field(
        "CVMS_PROGRAMME_NAME_ES",
        "Portal de Vacunas contra el COVID-19",
        example="Portal de Vacunas contra el COVID-19",
        min_length=1,
    )
    """The same in Spanish."""

    purpose: str = variables.field("CVMS_PORTAL_PURPOSE", _PURPOSE, example=_PURPOSE)
    """Whom the portal is for: the first sentence that recipients read there."""

    purpose_es: str = variables.field(
        "CVMS_PORTAL_PURPOSE_ES", _PURPOSE_ES, example=_PURPOSE_ES
    )
    """The same in Spanish."""

    vaccine_groups: _Groups = variables.field(
        "CVMS_VACCINE_GROUPS", _GROUPS, example=_GROUPS
    )
    """The vaccine groups that recipients choose from, with | between them."""

    vaccine_groups_es: _OptionalGroups = variables.field(
        "CVMS_VACCINE_GROUPS_ES",
        None,
        example=_GROUPS_ES,
    )
    """The same groups in Spanish, in the same order; default: those of the default in
    Spanish, or else the English ones."""

    group_url: Annotated[str, variables.require_url("http", "https")] = variables.field(
        "CVMS_VACCINE_GROUP_URL",
        "https://findmygroup.nc.gov",
        example="https://findmygroup.nc.gov",
    )
    """The page on which people find out which vaccine group they belong to."""

    counties: str = variables.field("CVMS_COUNTIES", "", example="Durham|Orange|Wake")
    """The counties that recipients choose from, with | between them; without any they
    type the name."""

    @pydantic.field_validator("vaccine_groups_es")
    @classmethod
    def _check_same_count(
        cls, text: str | None, info: pydantic.ValidationInfo
    ) -> str | None:
        english = info.data.get("vaccine_groups") or ""
        if text and len(split_list(text)) != len(split_list(english)):
            raise ValueError("must have as many groups as CVMS_VACCINE_GROUPS")
        return text

    @property
    def spanish_groups(self) -> tuple[str, ...]:
        """Return the Spanish name of each group."""
        if self.vaccine_groups_es is not None:
            return split_list(self.vaccine_groups_es)
        is_default = self.vaccine_groups == _GROUPS
        return split_list(_GROUPS_ES if is_default else self.vaccine_groups)
