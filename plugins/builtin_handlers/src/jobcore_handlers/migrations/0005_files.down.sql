drop table billing.documents;
drop table billing.files;
