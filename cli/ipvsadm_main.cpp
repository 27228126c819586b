// The program `ipvsadm`, of the director in this network namespace.
#include <iostream>

#include "cli/daemon.hpp"
#include "cli/ipvsadm.hpp"

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  penstock::cli::Daemon daemon;
  const int exit_code = penstock::cli::run_ipvsadm({argv, argv + argc}, std::cin, std::cout, std::cerr,
                                                   [&] { return daemon.director(); });
  return penstock::cli::finish_output(std::cout, std::cerr, exit_code);
}
