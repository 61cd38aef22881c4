# man/NAME.SECTION.scd -> share/man/manSECTION/NAME.SECTION
file(GLOB _pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/man/*.scd")
find_program(SCDOC scdoc)

if(_pages AND NOT SCDOC)
	message(WARNING "scdoc was not found: man pages are not built")
elseif(_pages)
	set(_made)
	foreach(page ${_pages})
		cmake_path(GET page STEM LAST_ONLY name)
		string(REGEX MATCH "[0-9]$" section "${name}")
		set(out "${PROJECT_BINARY_DIR}/man/${name}")
		add_custom_command(OUTPUT "${out}"
			COMMAND "${CMAKE_COMMAND}" -E make_directory "${PROJECT_BINARY_DIR}/man"
			COMMAND "${SCDOC}" < "${page}" > "${out}"
			DEPENDS "${page}" VERBATIM)
		list(APPEND _made "${out}")
		install(FILES "${out}" DESTINATION "${CMAKE_INSTALL_MANDIR}/man${section}")
	endforeach()
	add_custom_target(man ALL DEPENDS ${_made})
endif()
