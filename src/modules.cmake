# module        sees these modules                         and these libraries
tw_module(base     LIBS PkgConfig::glib_2_0 PkgConfig::libcrypto Threads::Threads)
tw_module(policy   NEEDS base LIBS PkgConfig::jansson)
tw_module(event    NEEDS policy base)
tw_module(x509     NEEDS base LIBS PkgConfig::libcrypto)
tw_module(report   NEEDS base)
tw_module(detect   NEEDS event report base)
tw_module(store    NEEDS base LIBS PkgConfig::sqlite3 PkgConfig::libpq)
tw_module(contain  NEEDS policy base LIBS PkgConfig::jansson)
tw_module(registry NEEDS contain detect policy x509 store base LIBS PkgConfig::jansson)
tw_module(audit    NEEDS registry policy x509 store base)
tw_module(broker   NEEDS event policy base LIBS PkgConfig::libcrypto)
tw_module(api      NEEDS audit registry store base LIBS PkgConfig::libmicrohttpd PkgConfig::jansson PkgConfig::libcrypto m)
tw_module(daemon   NEEDS api broker audit registry detect report store base LIBS PkgConfig::glib_2_0)
# `daemon` is everything of src/daemon but main.c, so that tests can link it.
# The API's model stands in the program: see api/model_data.S.
file(GLOB model_texts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/model/*.json ${CMAKE_SOURCE_DIR}/model/operations/*.json)
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/api/model_data.S PROPERTIES OBJECT_DEPENDS "${model_texts}")
