begin;
insert into signals values ('p', 'pause-snapshot', '{"type": "incremental"}');
commit;
insert into signals values ('e1', 'execute-snapshot', '{"data-collections": ["public.s7"], "type": "incremental"}');
select pg_sleep(1.5);
insert into s7 values (50, 'fifty');
insert into signals values ('r', 'resume-snapshot', '{"type": "incremental"}');
select pg_sleep(2);
insert into signals values ('s', 'stop-snapshot', '{"type": "incremental"}');
