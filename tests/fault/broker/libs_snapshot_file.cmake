target_link_options(${name} PRIVATE -Wl,--wrap=pwrite,--wrap=fsync,--wrap=fdatasync,--wrap=rename)
