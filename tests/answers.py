"""What a recipient types into the registration: plain text, nothing of the product."""

ANSWERS = {
    "phone": "(919) 555-0123",
    "address_1": "12 Canary Lane",
    "address_2": "",
    "city": "Durham",
    "state": "NC",
    "zip": "27701",
    "county": "Durham",
    "sex": "female",
    "races": ["asian", "white"],
    "ethnicity": "not_hispanic",
    "language": "spanish",
    "vaccine_group": "Group 5: Everyone else",
}
