# Who writes what the plugin reads.
target_link_libraries(${name} PRIVATE tw_broker PkgConfig::libcrypto)
