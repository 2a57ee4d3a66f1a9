insert into debezium_signal values ('sig-1', 'execute-snapshot', '{"data-collections": ["public.stock"], "type": "BLOCKING", "additional-conditions": [{"data-collection": "public.stock", "filter": "select * from public.stock where qty > 40"}]}');
select pg_sleep(6);
update stock set qty = 2 where id = 2;