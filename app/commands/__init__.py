"""What the commands do, once settings are read: each prints and answers whether all went well."""
