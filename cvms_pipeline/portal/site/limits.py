"""The numbers that limit log-ins, sessions and messages; shared by all processes."""

IDLE_SECONDS = 30 * 60
"""How long a session lives without a request that a person has made."""

RECIPIENT_IDLE_SECONDS = 15 * 60
"""The same of a recipient, who may sit at somebody else's computer."""

MAX_SESSION_SECONDS = 12 * 3600
"""How long it lives at most."""

WARNING_SECONDS = 2 * 60
"""How long before its end a dialog asks whether to go on."""

FRESH_SECONDS = 5 * 60
"""How long after the log-in second factors can be changed without the password."""

STARTED = "cvms_started"
"""The key in a session of when it began."""

DEVICE_DAYS = 180
"""How long a browser in which somebody has logged in is known as theirs."""

MAX_INVITATIONS_PER_HOUR = 20

MAX_UPLOADS_PER_HOUR = 60
"""How many files one account sends, for review or to be loaded."""

MAX_CASES_PER_HOUR = 20
"""How many requests one account opens at the help desk."""

ACCOUNT_MESSAGES = "5/h/key"
"""How many links one account is sent."""

RATES = {
    "login": "60/m/ip",
    "login_failed": "30/10m/ip,10/10m/key",
    "reauthenticate": "10/m/user",
    "change_password": "5/m/user",
    "reset_password": "20/10m/ip",
    "account_messages": ACCOUNT_MESSAGES,
    "set_password": "20/10m/ip",
    "sso_answer": "60/m/ip",
    "register": "20/h/ip",
    "case": f"{MAX_CASES_PER_HOUR}/h/user",
    "case_answer": "60/h/user",
    "upload": f"{MAX_UPLOADS_PER_HOUR}/h/user",
    "invite": f"{MAX_INVITATIONS_PER_HOUR}/h/user",
    "resend": "30/h/user",
    "invitation": "5/h/key",
}
"""In allauth's words: so many, in what time, for each what.

The key of `invitation` is the recipient who is invited again.  The key of
`login_failed` is the account together with the browser, if it is known: who
guesses from elsewhere cannot lock an owner out of a browser that was used before.
"""
