-- A payment goes through an account of its merchant, in its mode, at its provider; what it saves is kept there.
select 'payment' as what, p.payment_id::text as id, p.account_id from payment.payment p join payment.provider_account a using (account_id)
where a.merchant_id <> p.merchant_id or a.livemode <> p.livemode or a.provider <> p.provider
union all
select 'instrument', i.instrument_id::text, i.account_id from payment.instrument i join payment.provider_account a using (account_id)
where a.merchant_id <> i.merchant_id or a.livemode <> i.livemode or a.provider <> i.provider
