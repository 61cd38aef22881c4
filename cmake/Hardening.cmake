# For the optimised builds only: FORTIFY needs -O, and sanitizers bring their own checks.
include(CheckPIESupported)
check_pie_supported(LANGUAGES C)

set(_optimised "$<CONFIG:RelWithDebInfo,Release>")
add_compile_options(
	"$<${_optimised}:-U_FORTIFY_SOURCE>"
	"$<${_optimised}:-D_FORTIFY_SOURCE=2>"
	"$<${_optimised}:-fstack-protector-strong>")
add_link_options("$<${_optimised}:-Wl,-z,relro,-z,now>")
