// The program `penstock`. `penstock lab …`, `penstock realserver …` and `penstock doctor …` become penstock-lab, penstock-realserver and
// penstock-doctor, which lie beside it.
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>
#include <iostream>

#include "cli/daemon.hpp"
#include "cli/penstock.hpp"

namespace {

constexpr int exit_not_run = 2;  // a doctor that could not look; misuse of the others

bool is_program_of_its_own(const std::string& command) {
  return command == "lab" || command == "realserver" || command == "doctor";
}

// Comes back only with an exit code, after a failure.
int become(const std::string& command, char** argv) {
  char self[PATH_MAX] = {};
  if (readlink("/proc/self/exe", self, sizeof self - 1) < 0) {
    std::cerr << "penstock " << command << ": finding this program's folder: " << std::strerror(errno) << '\n';
    return exit_not_run;
  }
  const std::string path(self);
  const std::string program = path.substr(0, path.rfind('/') + 1) + "penstock-" + command;
  execv(program.c_str(), argv + 1);
  std::cerr << "penstock " << command << ": running " << program << ": " << std::strerror(errno) << '\n';
  return exit_not_run;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && is_program_of_its_own(argv[1])) return become(argv[1], argv);
  penstock::cli::Daemon daemon;
  const int exit_code =
      penstock::cli::run_penstock({argv, argv + argc}, std::cout, std::cerr, [&] { return daemon.director(); });
  return penstock::cli::finish_output(std::cout, std::cerr, exit_code);
}
