// The program `penstock`. `penstock lab …` becomes the program penstock-lab that lies beside it.
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <iostream>

#include "cli/daemon.hpp"
#include "cli/penstock.hpp"

namespace {

// Comes back only with an exit code, after a failure.
int become_lab(char** argv) {
  char self[PATH_MAX] = {};
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) {
    std::cerr << "penstock lab: finding this program's folder: " << std::strerror(errno) << '\n';
    return 1;
  }
  const std::string path(self);
  const std::string program = path.substr(0, path.rfind('/') + 1) + "penstock-lab";
  execv(program.c_str(), argv + 1);
  std::cerr << "penstock lab: running " << program << ": " << std::strerror(errno) << '\n';
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "lab") return become_lab(argv);
  penstock::cli::Daemon daemon;
  const int exit_code =
      penstock::cli::run_penstock({argv, argv + argc}, std::cout, std::cerr, [&] { return daemon.director(); });
  return penstock::cli::finish_output(std::cout, std::cerr, exit_code);
}
