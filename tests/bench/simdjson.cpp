/* simdjson behind two C functions, for bench_report: its on-demand reader, every member walked. */
#include <simdjson.h>
#include <vector>

using namespace simdjson;

extern "C" void bench_simdjson_open(const char *const *text, const size_t *n, unsigned count);
extern "C" double bench_simdjson(unsigned i);

static std::vector<padded_string> reports;
static ondemand::parser parser;

static double walk(ondemand::value v)
{
	double sum = 0;
	switch (v.type()) {
	case ondemand::json_type::object:
		for (auto member : v.get_object())
			sum += member.key().value().raw()[0] + walk(member.value());
		return sum;
	case ondemand::json_type::array:
		for (auto element : v.get_array())
			sum += walk(element.value());
		return sum;
	case ondemand::json_type::number:
		return v.get_double();
	case ondemand::json_type::string:
		return std::string_view(v.get_string())[0];
	default:
		return 0;
	}
}

void bench_simdjson_open(const char *const *text, const size_t *n, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		reports.emplace_back(text[i], n[i]);
}

double bench_simdjson(unsigned i)
{
	double sum = 0;
	ondemand::document document = parser.iterate(reports[i]);
	for (auto member : document.get_object())
		sum += member.key().value().raw()[0] + walk(member.value());
	return sum;
}
