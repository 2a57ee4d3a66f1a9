insert into c values (2, 'y');
update c set s = 'k';
update c set id = id + 10;
delete from c where id = 11;
truncate c;
