"""An event of the mail provider (see events/ses_*.json) -> what was noted, in ids only."""

from rightful.entry import handler as entry
from rightful.service import mail_events

handler = entry(lambda deps, event, _: mail_events.note(deps, event))
