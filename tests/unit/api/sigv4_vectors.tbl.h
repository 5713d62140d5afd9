/* VECTOR(name, signed request): cases of AWS's Signature Version 4 test suite, as github.com/awslabs/aws-c-auth keeps it in
 * tests/aws-signing-test-suite/v4 (Apache-2.0). Service "service", region us-east-1, key AKIDEXAMPLE, signed at
 * 20150830T123600Z. The "-query" ones are presigned for an hour. */
VECTOR("get-vanilla",
       "GET / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\n"
       "\n")
VECTOR("get-vanilla-query-order-key-case",
       "GET /?Param2=value2&Param1=value1 HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500\n"
       "\n")
VECTOR("get-vanilla-query-order-encoded",
       "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1 HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac\n"
       "\n")
VECTOR("get-vanilla-empty-query-key",
       "GET /?Param1=value1 HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb\n"
       "\n")
VECTOR("get-vanilla-query-unreserved",
       "GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197\n"
       "\n")
VECTOR("get-vanilla-utf8-query",
       "GET /?\341\210\264=bar HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04\n"
       "\n")
VECTOR("get-unreserved",
       "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f\n"
       "\n")
VECTOR("get-utf8",
       "GET /\341\210\264 HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85\n"
       "\n")
VECTOR("get-space-normalized",
       "GET /example space/ HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741\n"
       "\n")
VECTOR("get-slashes-normalized",
       "GET //example// HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84\n"
       "\n")
VECTOR("get-relative-normalized",
       "GET /example/.. HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\n"
       "\n")
VECTOR("get-relative-relative-normalized",
       "GET /example1/example2/../.. HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\n"
       "\n")
VECTOR("get-slash-dot-slash-normalized",
       "GET /./ HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31\n"
       "\n")
VECTOR("get-slash-pointless-dot-normalized",
       "GET /./example HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5\n"
       "\n")
VECTOR("get-header-key-duplicate",
       "GET / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "My-Header1:value2\n"
       "My-Header1:value2\n"
       "My-Header1:value1\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Signature=c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea\n"
       "\n")
VECTOR("get-header-value-order",
       "GET / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "My-Header1:value4\n"
       "My-Header1:value1\n"
       "My-Header1:value3\n"
       "My-Header1:value2\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Signature=08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01\n"
       "\n")
VECTOR("get-header-value-trim",
       "GET / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "My-Header1: value1\n"
       "My-Header2: \"a   b   c\"\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;my-header1;my-header2;x-amz-date, Signature=acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736\n"
       "\n")
VECTOR("get-vanilla-with-session-token",
       "GET / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Security-Token:6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8\n"
       "\n")
VECTOR("post-vanilla",
       "POST / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b\n"
       "\n")
VECTOR("post-header-key-sort",
       "POST / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "My-Header1:value1\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Signature=c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c\n"
       "\n")
VECTOR("post-header-key-case",
       "POST / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b\n"
       "\n")
VECTOR("post-header-value-case",
       "POST / HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "My-Header1:VALUE1\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;my-header1;x-amz-date, Signature=cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d\n"
       "\n")
VECTOR("post-vanilla-query",
       "POST /?Param1=value1 HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11\n"
       "\n")
VECTOR("post-vanilla-empty-query-value",
       "POST /?Param1=value1 HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "X-Amz-Date:20150830T123600Z\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature=28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11\n"
       "\n")
VECTOR("post-x-www-form-urlencoded",
       "POST / HTTP/1.1\n"
       "Content-Type:application/x-www-form-urlencoded\n"
       "Host:example.amazonaws.com\n"
       "Content-Length:13\n"
       "X-Amz-Date:20150830T123600Z\n"
       "x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date, Signature=d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b\n"
       "\n"
       "Param1=value1")
VECTOR("post-x-www-form-urlencoded-parameters",
       "POST / HTTP/1.1\n"
       "Content-Type:application/x-www-form-urlencoded; charset=utf-8\n"
       "Host:example.amazonaws.com\n"
       "Content-Length:13\n"
       "X-Amz-Date:20150830T123600Z\n"
       "x-amz-content-sha256:9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e\n"
       "Authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=content-length;content-type;host;x-amz-content-sha256;x-amz-date, Signature=328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422\n"
       "\n"
       "Param1=value1")
VECTOR("get-vanilla-query",
       "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&X-Amz-Signature=e93c787ed7f371d5c6b165c1b38ede9550f4dce4144713e844b25b7192d3865d HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "\n")
VECTOR("get-vanilla-query-order-encoded-query",
       "GET /?Param-3=Value3&Param=Value2&%E1%88%B4=Value1&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&X-Amz-Signature=c5f1848ceec943ac2ca68ee720460c23aaae30a2300586597ada94c4a65e4787 HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "\n")
VECTOR("get-utf8-query",
       "GET /\341\210\264?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&X-Amz-Signature=10eae3f14a260bd3911cc6d008d3c576d143b05b62f09782a7a4b37f52178e44 HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "\n")
VECTOR("get-vanilla-with-session-token-query",
       "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&X-Amz-Security-Token=6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267&X-Amz-Signature=7ff2b50b376cb4d151970630573d6291dc128cc5c2a12ffb237f73cc53f67b6c HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "\n")
VECTOR("post-vanilla-query",
       "POST /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fservice%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Expires=3600&X-Amz-Signature=2ce6e6d2e0cf2f9d1b55fafec88cd20574c31dc2e7631979f71ba2310083e95b HTTP/1.1\n"
       "Host:example.amazonaws.com\n"
       "\n")
