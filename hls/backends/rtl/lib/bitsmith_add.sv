// Pipe behind a join: the sum of INPUTS beats of LANES lanes, side by side, each times its own FACTOR.
// LATENCY: TIMES (0 where every factor is 1, -1 or a power of two; 1: products get a register), + $clog2(INPUTS).
module bitsmith_add #(
    parameter int LANES  = 1,
    parameter int INPUTS = 2,
    parameter logic [INPUTS*32-1:0] WX     = {32'd8, 32'd8},  // bits of a lane, per input; input 0 in the lowest bits
    parameter logic [INPUTS-1:0]    X_SIGN = '1,
    parameter logic [INPUTS*64-1:0] FACTOR = {64'd1, 64'd1},
    parameter int WIDTH  = 16,  // of all inputs
    parameter int TIMES  = 0,   // 1 if there is one input alone, too
    parameter int WT     = 8,   // holds every product, signed
    parameter int WY     = 9
) (
    input  logic                clk,
    input  logic                resetn,
    input  logic                put,
    input  logic [WIDTH-1:0]    d,
    output logic                q_put,
    output logic [LANES*WY-1:0] q
);
  localparam int LATENCY = TIMES + (INPUTS > 1 ? $clog2(INPUTS) : 0);

  logic [LATENCY:0] line;
  bitsmith_put_line #(.DEPTH(LATENCY)) puts (.clk, .resetn, .put, .line);
  assign q_put = line[LATENCY];

  logic [LANES*INPUTS*WT-1:0] terms;  // of one lane side by side

  for (genvar k = 0; k < INPUTS; k++) begin : g_input
    localparam int W = int'(WX[k*32+:32]);
    localparam int START = bits_below(k);
    localparam logic signed [63:0] F = FACTOR[k*64+:64];
    localparam logic signed [63:0] SIZE = F < 64'sd0 ? -F : F;
    for (genvar i = 0; i < LANES; i++) begin : g_lane
      logic signed [W:0]    x;
      logic signed [WT-1:0] product;
      assign x = {X_SIGN[k] && d[START+i*W+W-1], d[START+i*W+:W]};
      always_comb begin  // adders, never a multiplier
        product = '0;
        for (int b = 0; b < 63; b++) if (SIZE[b]) product = product + (WT'(x) <<< b);
        if (F < 64'sd0) product = -product;
      end
      if (TIMES == 1) begin : g_register
        logic [WT-1:0] held;
        always_ff @(posedge clk) held <= product;
        assign terms[(i*INPUTS+k)*WT+:WT] = held;
      end else begin : g_direct
        assign terms[(i*INPUTS+k)*WT+:WT] = product;
      end
      logic unused;
      assign unused = ^x;
    end
  end

  for (genvar i = 0; i < LANES; i++) begin : g_sum
    bitsmith_tree #(.N(INPUTS), .WX(WT), .WY(WY)) tree (
        .clk, .x(terms[i*INPUTS*WT+:INPUTS*WT]), .y(q[i*WY+:WY]));
  end

  logic unused;
  assign unused = ^line;

  function automatic int bits_below(input int input_);  // bits of the inputs below
    bits_below = 0;
    for (int k = 0; k < input_; k++) bits_below = bits_below + LANES * int'(WX[k*32+:32]);
  endfunction
endmodule
