update stock set qty = 1 where id = 1;
insert into debezium_signal values ('sig-1', 'execute-snapshot', '{"data-collections": ["public.stock", "public.pair"], "type": "blocking"}');
select pg_sleep(6);
update stock set qty = 2 where id = 2;