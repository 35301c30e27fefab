if(CAUCUS_SANITIZE)
  # A report ends the program. Those of `null` could be recovered from, because UBSan suppresses only what
  # could, by file: CAF's headers are known for some. None is suppressed, as none shows up in our tests.
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize-recover=null)
  add_link_options(-fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented moves of variants look uninitialised to g++ 12; the sanitizers see the truth.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()

# In ctest's own environment, so that every test and all that it starts has it, also tests to come: a
# report that could be recovered from ends the program, too.
set(CAUCUS_UBSAN_OPTIONS "halt_on_error=1:print_stacktrace=1")
file(WRITE ${CMAKE_BINARY_DIR}/sanitizer_environment.cmake "set(ENV{UBSAN_OPTIONS} \"${CAUCUS_UBSAN_OPTIONS}\")\n")
set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY TEST_INCLUDE_FILES ${CMAKE_BINARY_DIR}/sanitizer_environment.cmake)
