-- No message is parked.
-- per schema with parked_message
select consumer, topic, key, count(*) as messages, min(parked_at) as since from parked_message
group by consumer, topic, key order by since
