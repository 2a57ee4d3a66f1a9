create table c (id int primary key, a text, b int); comment on column c.a is 'the a'; comment on table c is 'tab'; insert into c values (1,'x',1);
