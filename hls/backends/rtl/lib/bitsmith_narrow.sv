// Head: a beat becomes RATIO beats, its lowest bits first.  HOLD 1: the beat stays on offer until its last part has
// gone, and a multiplexer picks the parts; 0: it is taken with its first part into a shift register.
module bitsmith_narrow #(
    parameter int WIDTH = 8,  // of a beat that goes out
    parameter int RATIO = 2,
    parameter int HOLD  = 1
) (
    input  logic                   clk,
    input  logic                   resetn,
    input  logic                   s_valid,
    output logic                   s_ready,
    input  logic [RATIO*WIDTH-1:0] s_data,
    input  logic                   room,
    output logic                   issue,
    output logic                   put,
    output logic [WIDTH-1:0]       q
);
  logic last;
  bitsmith_count #(.N(RATIO)) count (.clk, .resetn, .step(issue), .last);
  always_ff @(posedge clk) put <= resetn && issue;

  if (HOLD == 1) begin : g_hold
    logic [$clog2(RATIO)-1:0] part;
    assign issue   = s_valid && room;
    assign s_ready = room && last;
    always_ff @(posedge clk) begin
      if (!resetn) part <= '0;
      else if (issue) part <= last ? '0 : part + 1'b1;
      q <= s_data[part*WIDTH+:WIDTH];
    end
  end else begin : g_shift
    logic                   first;
    logic [RATIO*WIDTH-1:0] parts;
    assign issue   = room && (s_valid || !first);
    assign s_ready = room && first;
    always_ff @(posedge clk) begin
      if (!resetn) first <= 1'b1;
      else if (issue) first <= last;
      if (issue) parts <= first ? s_data : parts >> WIDTH;
    end
    assign q = parts[WIDTH-1:0];
  end
endmodule
