# Warnings for our own code only: consumers of the package never see this target.
add_library(caucus_warnings INTERFACE)
target_compile_options(caucus_warnings INTERFACE -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor
  # Strong ids start at "none" by themselves; naming only what matters is the point of designators.
  -Wno-missing-field-initializers)
if(CAUCUS_WERROR)
  target_compile_options(caucus_warnings INTERFACE -Werror)
endif()
