if(CAUCUS_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize-recover=null)
  add_link_options(-fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # Instrumented moves of variants look uninitialised to g++ 12; the sanitizers see the truth.
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
endif()
