if(CAUCUS_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all -fsanitize-recover=null)
  add_link_options(-fsanitize=address,undefined)
endif()
