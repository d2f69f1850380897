"""The reviewer's page: what templates let whom do, in words, pictures and differences. Pure: no clock, no network."""
