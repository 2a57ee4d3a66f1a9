insert into c values (2,'y',2);
alter table c add column d int;
comment on column c.d is 'dee';
insert into c values (3,'z',3,4);
