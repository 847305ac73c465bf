-- An order says what the catalogue called its payment method when it was placed. For those placed before, these are the words of
-- the catalogue of that time.
update purchase_order set placed = placed || jsonb_build_object('paymentSystemName', case placed ->> 'paymentMethod'
  when 'CreditCard' then 'Bank Card' when 'BankTransfer' then 'Bank Transfer' else placed ->> 'paymentMethod' end)
where not (placed ? 'paymentSystemName');
