-- Whoever watches asks every few seconds how many there are; without an index that
-- would read every message that was ever sent.
CREATE INDEX ix_messages_refused ON cvms.messages (kind) WHERE status = 'refused';
