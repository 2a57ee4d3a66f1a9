insert into a values (9, 'x');
