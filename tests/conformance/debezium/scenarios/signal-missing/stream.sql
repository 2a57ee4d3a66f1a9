insert into debezium_signal values ('sig-1', 'execute-snapshot', '{"data-collections": ["public.nothere"]}');
select pg_sleep(3);
insert into debezium_signal values ('sig-2', 'what-is-this', '{}');
insert into debezium_signal values ('sig-3', 'execute-snapshot', 'no json');
insert into debezium_signal values ('sig-4', 'execute-snapshot', null);
insert into debezium_signal values ('sig-5', 'execute-snapshot', '{"data-collections": ["public.stock"], "additional-conditions": [{"data-collection": "public.stock", "filter": "qty between 20 and 50"}]}');
select pg_sleep(4);