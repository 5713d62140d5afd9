# Who writes what the rules read.
target_link_libraries(${name} PRIVATE tw_broker)
