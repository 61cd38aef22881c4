# A chosen list, so that a newer compiler does not surprise a user with new errors.
option(THAW_WERROR "Make warnings errors (for developers; the dev preset sets it)" OFF)

add_compile_options(
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wformat=2
	-Wvla -Wcast-qual -Wpointer-arith -Wwrite-strings -Wimplicit-fallthrough)

if(THAW_WERROR)
	add_compile_options(-Werror)
endif()
