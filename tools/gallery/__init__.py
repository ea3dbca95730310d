"""The gallery: letters of many kinds of days, drawn, checked and sent to an inbox. All of it in our own words.

`issues` reads the days, `plates` says which letters there are, `draw` takes their pictures (`make gallery`),
`inbox` sends them to MailDev (`make inbox`), `clients` compares them with what mail programs support.
"""
