# What Debian wants in a package beside the program's own files. CPack runs it in the folder that it will pack.

set(root "${CPACK_TEMPORARY_DIRECTORY}")
get_filename_component(source "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
set(doc "${root}/usr/share/doc/gainstage")
file(MAKE_DIRECTORY "${doc}")

file(READ "${source}/LICENSE" licence)
string(REGEX REPLACE "\n$" "" licence "${licence}")
string(REGEX MATCH "Copyright[^\n]*" copyright "${licence}")
string(REPLACE "Copyright (c) " "" copyright "${copyright}")
string(REGEX REPLACE "^.*Copyright[^\n]*\n\n" "" licence "${licence}")
string(REPLACE "\n\n" "\n.\n" licence "${licence}")
string(REPLACE "\n" "\n " licence "${licence}")
file(WRITE "${doc}/copyright" "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Gainstage

Files: *
Copyright: ${copyright}
License: Expat
 ${licence}
")

# The day of the last commit, so that one commit makes one package.
if(NOT DEFINED ENV{SOURCE_DATE_EPOCH})
  execute_process(COMMAND git -C ${source} log -1 --format=%ct OUTPUT_VARIABLE day OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET)
  if(day)
    set(ENV{SOURCE_DATE_EPOCH} ${day})
  endif()
endif()
string(TIMESTAMP date "%a, %d %b %Y %H:%M:%S +0000" UTC)
file(WRITE "${doc}/changelog.Debian"
"gainstage (${CPACK_PACKAGE_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium

  * Version ${CPACK_PACKAGE_VERSION}: see changelog.gz.

 -- ${CPACK_PACKAGE_CONTACT}  ${date}
")
file(COPY_FILE "${source}/runtime/CHANGES.md" "${doc}/changelog")

file(GLOB_RECURSE texts "${root}/usr/share/man/*.[1-9]" "${doc}/changelog*")
execute_process(COMMAND gzip -9nf ${texts} COMMAND_ERROR_IS_FATAL ANY)
# The folders that CMake makes for itself obey the umask.
execute_process(COMMAND chmod -R u=rwX,go=rX ${root} COMMAND_ERROR_IS_FATAL ANY)
