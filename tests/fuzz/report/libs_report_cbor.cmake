pkg_check_modules(libcbor REQUIRED IMPORTED_TARGET libcbor)
target_link_libraries(${name} PRIVATE PkgConfig::libcbor)
