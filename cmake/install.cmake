# `cmake --install`: headers, libraries and a package, so that an outside project says
# find_package(caucus) and links caucus::caucus, or caucus::raft alone and brings its own I/O.
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/caucus)
set(targets)
foreach(layer base membership raft_types raft persistence transport actors)
  if(TARGET caucus_${layer})
    list(APPEND targets caucus_${layer})
    # Ours include each other as "raft/entry.hpp": that root is installed as a whole.
    install(
      DIRECTORY ${CMAKE_SOURCE_DIR}/${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/caucus/core
      FILES_MATCHING PATTERN "*.hpp")
  endif()
endforeach()
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/caucus DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
        FILES_MATCHING PATTERN "*.hpp")
if(TARGET caucus_actors)
  set_target_properties(caucus_actors PROPERTIES EXPORT_NAME caucus)
  target_include_directories(
    caucus_actors PUBLIC $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
                         $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/caucus/core>)
endif()
install(TARGETS ${targets} EXPORT caucusTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT caucusTargets NAMESPACE caucus:: DESTINATION ${package_dir})

# A static library needs at link time what it uses privately, so the package finds all of these.
set(CAUCUS_DEPENDENCIES)
foreach(target IN LISTS targets)
  get_target_property(linked ${target} INTERFACE_LINK_LIBRARIES)
  foreach(name spdlog fmt OpenSSL Boost nlohmann_json msgpackc-cxx msgpack-cxx CLI11)
    if(linked MATCHES "(^|;|:)${name}(::|;|>|$)")
      list(APPEND CAUCUS_DEPENDENCIES ${name})
    endif()
  endforeach()
endforeach()
list(REMOVE_DUPLICATES CAUCUS_DEPENDENCIES)

configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/caucusConfig.cmake.in ${CMAKE_BINARY_DIR}/package/caucusConfig.cmake
  INSTALL_DESTINATION ${package_dir} NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/package/caucusConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(
  FILES ${CMAKE_BINARY_DIR}/package/caucusConfig.cmake ${CMAKE_BINARY_DIR}/package/caucusConfigVersion.cmake
        ${CMAKE_CURRENT_LIST_DIR}/find_caf.cmake DESTINATION ${package_dir})
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/caucus)
