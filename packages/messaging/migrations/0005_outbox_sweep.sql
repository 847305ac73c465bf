-- Old rows are those with the smallest ids; this index cost a write per message.
drop index outbox_sent;
