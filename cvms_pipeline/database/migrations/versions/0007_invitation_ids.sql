-- From now on an invitation has the id of what it tells of, a recipient or a correction,
-- so that the primary key keeps it from being there twice. A second index of all that is
-- ever sent, which was a tenth of the time of queueing it, says no more than that.
ALTER TABLE cvms.messages DROP CONSTRAINT uq_messages_purpose;
CREATE UNIQUE INDEX uq_messages_purpose ON cvms.messages (purpose)
WHERE kind <> 'invitation';
