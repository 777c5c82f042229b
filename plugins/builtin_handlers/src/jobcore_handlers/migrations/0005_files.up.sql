-- Stored files and the documents that people see. A file's bytes stand in the file store, under storage_key.
create table billing.files (
    tenant uuid not null references billing.tenants (tenant),
    file_id uuid not null,
    original_name text not null,
    mime_type text not null,
    size bigint not null check (size >= 0),
    sha256 text not null,
    storage_key text not null,
    uploaded_by uuid not null,
    created_at timestamptz not null default now(),
    primary key (tenant, file_id)
);

create table billing.documents (
    tenant uuid not null,
    document_id uuid not null,
    name text not null,
    file_id uuid not null,
    client_id uuid,
    invoice_id uuid,
    created_by uuid not null,
    created_by_job uuid,
    is_client_visible boolean not null default false,
    created_at timestamptz not null default now(),
    primary key (tenant, document_id),
    foreign key (tenant, file_id) references billing.files (tenant, file_id),
    foreign key (tenant, client_id) references billing.clients (tenant, client_id),
    foreign key (tenant, invoice_id) references billing.invoices (tenant, invoice_id)
);
comment on column billing.documents.client_id is 'The client that the document is about, if it is about one only.';
create index documents_by_client on billing.documents (tenant, client_id);
