# Libraries from the distribution; `./run setup` installs them. No version is asked for: Debian 12 and 13 both serve.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(tl-expected REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
pkg_check_modules(popt REQUIRED IMPORTED_TARGET popt)
pkg_check_modules(libmnl REQUIRED IMPORTED_TARGET libmnl)
pkg_check_modules(libbpf REQUIRED IMPORTED_TARGET libbpf)
find_path(PENSTOCK_BOOST_ASIO boost/asio.hpp REQUIRED)  # headers only, in the compiler's own path
# Only the lab's NFS client needs these two; without them it isn't built, and `penstock lab check` says so.
pkg_check_modules(fuse3 IMPORTED_TARGET fuse3)
pkg_check_modules(libnfs IMPORTED_TARGET libnfs>=4 libnfs<5)  # its raw calls change between versions
include(GoogleTest)
