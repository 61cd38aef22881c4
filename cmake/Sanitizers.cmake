set(THAW_SANITIZE "" CACHE STRING "Empty, address,undefined or thread")
set_property(CACHE THAW_SANITIZE PROPERTY STRINGS "" "address,undefined" "thread")
option(THAW_COVERAGE "Count executed lines (gcov)" OFF)

if(NOT THAW_SANITIZE MATCHES "^(|address|undefined|address,undefined|thread)$")
	message(FATAL_ERROR "THAW_SANITIZE=${THAW_SANITIZE}: use address,undefined or thread")
endif()

if(THAW_SANITIZE)
	add_compile_options(-fsanitize=${THAW_SANITIZE} -fno-omit-frame-pointer)
	add_link_options(-fsanitize=${THAW_SANITIZE})
	if(THAW_SANITIZE MATCHES "undefined")
		# A report must fail the test, not only be printed.
		add_compile_options(-fno-sanitize-recover=undefined)
	endif()
endif()

if(THAW_COVERAGE)
	add_compile_options(--coverage)
	add_link_options(--coverage)
endif()
