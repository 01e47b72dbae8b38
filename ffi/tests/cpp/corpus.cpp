// Opens files of other programs, as a list on standard input says, whole and in pieces. A line is
//
//   EXPECT <tab> KEY <tab> CERTIFICATE <tab> FILE <tab> PLAINTEXT
//
// EXPECT is ok or reject; with reject, PLAINTEXT is not looked at.
#include "check.hpp"

#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>

namespace {

std::string read(const std::string &path) {
    std::ifstream in(path, std::ios::binary);
    CHECK(in.good());
    return std::string(std::istreambuf_iterator<char>(in), {});
}

result_code opens_in_pieces(const sdi::keyring &ring, sdi::bytes_view file, std::string &got) {
    auto opener = must(sdi::opener::create(ring, [&got](sdi::bytes_view bytes) {
        got += bytes.text();
        return 0;
    }));
    for (std::size_t at = 0; at < file.size(); at += 61) {
        const auto taken = opener.update(file.part(at, 61));
        if (!taken) {
            return taken.code();
        }
    }
    const auto ended = opener.finish();
    CHECK(bool(ended) == bool(opener.used()));
    return ended.code();
}

void opens(const std::string &expected, const std::string path[4]) {
    const auto key = must(sdi::key::parse(read(path[0])));
    const auto cert = must(sdi::cert::parse(read(path[1])));
    const std::string file = read(path[2]);
    auto ring = must(sdi::keyring::create());
    if (!ring.set_vendor(cert, key)) { // a certificate of another key
        must(ring.set_vendor(key));
    }
    const auto opened = sdi::open(ring, file);
    std::string pieces;
    const result_code in_pieces = opens_in_pieces(ring, file, pieces);
    if (expected == "ok") {
        CHECK(sdi::detect(nullptr, file, sdi::detect_flag::at_end) == sdi::kind::enveloped);
        CHECK(sdi::inspect(file));
        CHECK(opened && opened->view().text() == read(path[3]));
        CHECK(in_pieces == result_code::ok && pieces == read(path[3]));
    } else {
        CHECK(!opened && *opened.error().text() != '\0' && in_pieces != result_code::ok);
        // The file is to blame, and never the caller.
        CHECK(sdi::number(opened.code()) >= 100 && sdi::number(in_pieces) >= 100);
    }
}

} // namespace

int main() {
    std::string line;
    int opened = 0;
    for (; std::getline(std::cin, line); opened++) {
        std::istringstream words(line);
        std::string expected, path[4];
        CHECK(words >> expected >> path[0] >> path[1] >> path[2] >> path[3]);
        opens(expected, path);
    }
    std::cout << opened << '\n';
    return opened > 0 ? 0 : 1;
}
