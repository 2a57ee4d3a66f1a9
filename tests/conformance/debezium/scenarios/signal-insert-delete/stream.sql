insert into debezium_signal values ('sig-1', 'execute-snapshot', '{"data-collections": ["public.stock"]}');
select pg_sleep(5);