// Faults as LVS users make them, planted in a lab for real, and how each is mended.
#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace penstock::doctor {

struct Line {
  std::string host;
  std::string shell;
};

struct PlantedFault {
  std::string name;
  std::string host;       // where the doctor looks
  std::string arguments;  // of `penstock doctor` there
  std::vector<Line> plant;
  std::string id;    // of the finding
  std::string says;  // in its sentence
  std::vector<Line> mend;
};

// A lab in which nothing is wrong, and faults that are planted and mended one after the other.
struct Ward {
  std::string name;
  std::string topology;  // without .conf, from the root of the tree
  std::vector<Line> prepare;
  std::vector<Line> looks;  // hosts, with arguments of `penstock doctor`, on which it must find nothing
  std::vector<PlantedFault> faults;
};

inline std::ostream& operator<<(std::ostream& out, const Ward& ward) { return out << ward.name; }

[[nodiscard]] const std::vector<Ward>& wards();

}  // namespace penstock::doctor
