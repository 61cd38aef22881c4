# A room is one static library, thaw_<name>. It links what DEPS names and nothing else, so a
# call that goes against the arrows of docs/architecture.md does not link.
#
#   thaw_room(cache SOURCES store.c space.c DEPS base conf metrics LIBS PkgConfig::LIBCRYPTO)
function(thaw_room name)
	cmake_parse_arguments(PARSE_ARGV 1 A "" "" "SOURCES;DEPS;LIBS")
	if(A_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "thaw_room(${name}): unknown ${A_UNPARSED_ARGUMENTS}")
	endif()
	add_library(thaw_${name} STATIC ${A_SOURCES})
	list(TRANSFORM A_DEPS PREPEND thaw_)
	target_link_libraries(thaw_${name} PUBLIC ${A_DEPS} ${A_LIBS} Threads::Threads)
endfunction()

# A program made of rooms; installed to bin.
#
#   thaw_program(thawfs SOURCES main.c ROOMS fuse control)
function(thaw_program name)
	cmake_parse_arguments(PARSE_ARGV 1 A "" "" "SOURCES;ROOMS;LIBS")
	if(A_UNPARSED_ARGUMENTS)
		message(FATAL_ERROR "thaw_program(${name}): unknown ${A_UNPARSED_ARGUMENTS}")
	endif()
	add_executable(${name} ${A_SOURCES})
	list(TRANSFORM A_ROOMS PREPEND thaw_)
	target_link_libraries(${name} PRIVATE ${A_ROOMS} ${A_LIBS} Threads::Threads)
	set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bin")
	install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
endfunction()
