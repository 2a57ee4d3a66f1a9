create table nans (id int primary key, n numeric[], s numeric(6,2)[]);
insert into nans values (1, array[1.5, 2], array[1.5]), (2, '{NaN,1}', '{1}'), (3, '{1}', '{NaN}');
