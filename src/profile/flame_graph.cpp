#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "profile/profile.hpp"

namespace serval::profile {
namespace {

constexpr double kWidth = 1200;
constexpr int kRow = 17;
constexpr int kTop = 60;            // title, and what the pointer is on
constexpr double kNarrowest = 0.1;  // pixels; what is narrower is left out with all that it calls
constexpr double kPerLetter = 7;

/// A function where it was called from.
struct Node {
  std::uint64_t weight = 0;
  std::map<std::string, Node> callees{};
};

std::string escaped(std::string_view text) {
  std::string result;
  for (const char byte : text) {
    switch (byte) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      // XML allows no others, and names are meant to be ASCII: no byte makes the file ill-formed.
      default: result += byte >= 0x20 && byte < 0x7f ? byte : '?';
    }
  }
  return result;
}

Node tree_of(const Profile& profile) {
  Node root;
  for (const Stack& stack : profile.stacks) {
    root.weight += stack.weight;
    Node* at = &root;
    for (const std::size_t number : stack.frames) {
      at = &at->callees[profile.frames[number].function];
      at->weight += stack.weight;
    }
  }
  return root;
}

/// The same function has the same warm colour in every graph.
std::string colour_of(std::string_view name) {
  std::uint32_t hash = 2166136261u;
  for (const unsigned char byte : name) hash = (hash ^ byte) * 16777619u;
  char text[32];
  std::snprintf(text, sizeof text, "rgb(%u,%u,%u)", 205 + hash % 50, 60 + (hash >> 8) % 150, (hash >> 16) % 70);
  return text;
}

class Drawing {
 public:
  explicit Drawing(std::uint64_t total) : total_(static_cast<double>(std::max<std::uint64_t>(total, 1))) {}

  int depth_of(const Node& node) const {
    int deepest = 0;
    for (const auto& [name, callee] : node.callees) {
      if (width_of(callee) >= kNarrowest) deepest = std::max(deepest, 1 + depth_of(callee));
    }
    return deepest;
  }

  void draw(const std::string& name, const Node& node, double x, int y) {
    const double width = width_of(node);
    if (width < kNarrowest) return;
    char place[200];
    std::snprintf(place, sizeof place, "<g class=\"f\" data-x=\"%.2f\" data-w=\"%.2f\"><title>", x, width);
    text_ += place;
    char share[64];
    std::snprintf(share, sizeof share, " (%llu samples, %.1f%%)", static_cast<unsigned long long>(node.weight),
                  100 * static_cast<double>(node.weight) / total_);
    text_ += escaped(name) + share;
    std::snprintf(place, sizeof place, "</title><rect x=\"%.2f\" y=\"%d\" width=\"%.2f\" height=\"%d\" fill=\"", x, y,
                  width, kRow - 1);
    text_ += place + colour_of(name);
    std::snprintf(place, sizeof place, "\" rx=\"1\"/><text x=\"%.2f\" y=\"%d\">", x + 3, y + kRow - 5);
    const auto letters = static_cast<std::size_t>(std::max(0.0, (width - 6) / kPerLetter));
    const std::string shown = name.size() <= letters ? name : letters < 4 ? "" : name.substr(0, letters - 2) + "..";
    text_ += place + escaped(shown) + "</text></g>\n";
    for (const auto& [callee_name, callee] : node.callees) {
      draw(callee_name, callee, x, y - kRow);
      x += width_of(callee);
    }
  }

  std::string take() { return std::move(text_); }

 private:
  double width_of(const Node& node) const { return kWidth * static_cast<double>(node.weight) / total_; }

  double total_;
  std::string text_;
};

constexpr std::string_view kStyle = R"(
text{font:12px monospace;fill:#111;pointer-events:none}
.f{cursor:pointer}.f:hover rect{stroke:#000}.m rect{fill:#b0f}.p{opacity:.45}
#search{pointer-events:all;cursor:pointer;fill:#06c}
)";

/// A frame knows where it is in the whole; zooming is another origin and scale. No '<' or '&', which XML would read.
constexpr std::string_view kScript = R"(
(function(){
var svg=document.currentScript?document.currentScript.closest('svg'):document.documentElement;
var all=[].slice.call(svg.querySelectorAll('.f')),W=1200;
var info=svg.querySelector('#info'),find=svg.querySelector('#search');
function name(g){return g.querySelector('title').textContent}
function plain(g){return name(g).replace(/ \([0-9]+ samples.*$/,'')}
function zoom(to){
 var x=+to.dataset.x,w=+to.dataset.w,y=+to.querySelector('rect').getAttribute('y');
 all.forEach(function(g){
  var gx=+g.dataset.x,gw=+g.dataset.w,r=g.querySelector('rect'),t=g.querySelector('text');
  var below=+r.getAttribute('y')>y,holds=below?(x+0.01>=gx?gx+gw+0.01>=x+w:false):false;
  var inside=!below?(gx+0.011>=x?x+w+0.011>=gx+gw:false):false;
  g.style.display=holds||inside?'':'none';
  g.classList.toggle('p',holds);
  var nx=holds?0:(gx-x)*W/w,nw=holds?W:gw*W/w;
  r.setAttribute('x',nx);r.setAttribute('width',nw);t.setAttribute('x',nx+3);
  var n=plain(g),fit=Math.floor((nw-6)/7);
  t.textContent=fit>=n.length?n:fit>=4?n.slice(0,fit-2)+'..':'';
 });
}
all.forEach(function(g){
 g.addEventListener('click',function(){zoom(g)});
 g.addEventListener('mouseover',function(){info.textContent=name(g)});
});
find.addEventListener('click',function(){
 var word=prompt('Mark functions whose names match (a regular expression):','');
 if(word===null)return;
 var re=word===''?null:new RegExp(word,'i');
 all.forEach(function(g){g.classList.toggle('m',re!==null?re.test(plain(g)):false)});
});
})();
)";

std::string graph(const Profile& profile, std::string_view title) {
  const Node root = tree_of(profile);
  Drawing drawing(root.weight);
  const int height = kTop + (drawing.depth_of(root) + 1) * kRow + 10;
  drawing.draw("all", root, 0, height - kRow - 8);
  char head[300];
  std::snprintf(head, sizeof head,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"%.0f\" height=\"%d\" "
                "viewBox=\"0 0 %.0f %d\">\n",
                kWidth, height, kWidth, height);
  return head + ("<style>" + std::string(kStyle)) +
         "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fdf6e8\"/>\n" + "<text x=\"8\" y=\"18\">" +
         escaped(title) + "</text>\n<text x=\"8\" y=\"34\">" + escaped(summary(profile)) +
         "</text>\n<text id=\"info\" x=\"8\" y=\"50\"> </text>\n" +
         "<text id=\"search\" x=\"1130\" y=\"18\">search</text>\n" + drawing.take() + "<script>" +
         std::string(kScript) + "</script>\n</svg>\n";
}

}  // namespace

std::string flame_graph_svg(const Profile& profile, std::string_view title) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" + graph(profile, title);
}

std::string flame_graph_html(const Profile& profile, std::string_view title) {
  return "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>" + escaped(title) +
         "</title><style>body{margin:0;background:#fdf6e8}</style></head><body>\n" + graph(profile, title) +
         "</body></html>\n";
}

}  // namespace serval::profile
