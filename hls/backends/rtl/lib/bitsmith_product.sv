// Product of a and w, always as a signed number.  KIND says what w is:
//   0  an integer of WW bits (signed if W_SIGN), multiplied by masked rows: logic alone, LATENCY
//      max(1, $clog2(bits of the shorter factor))
//   1  one bit, 1 stands for -1 and 0 for +1; LATENCY 1
//   2  two bits, -1, 0 or 1; LATENCY 1
//   3  an integer, multiplied by *, which tools map to a DSP block; LATENCY 1
module bitsmith_product #(
    parameter int WA     = 4,
    parameter int A_SIGN = 0,  // 1: a is signed
    parameter int WW     = 4,
    parameter int W_SIGN = 1,
    parameter int KIND   = 0,
    parameter int ALONE  = 0,  // KIND 3: 1 keeps the register out of the DSP block
    parameter int WY     = KIND == 1 || KIND == 2 ? WA + 1 : A_SIGN == 0 && W_SIGN == 0 ? WA + WW + 1 : WA + WW
) (
    input  logic          clk,
    input  logic [WA-1:0] a,
    input  logic [WW-1:0] w,
    output logic [WY-1:0] y
);
  if (KIND == 1) begin : g_sign
    logic [WA:0] wide;
    assign wide = {A_SIGN == 1 && a[WA-1], a};
    always_ff @(posedge clk) y <= ({(WA + 1) {w[0]}} ^ wide) + (WA + 1)'(w[0]);
  end else if (KIND == 2) begin : g_ternary
    logic [WA:0] wide;
    assign wide = w[0] ? {A_SIGN == 1 && a[WA-1], a} : '0;
    always_ff @(posedge clk) y <= ({(WA + 1) {w[1]}} ^ wide) + (WA + 1)'(w[1]);
  end else if (KIND == 3) begin : g_multiplier
    localparam int A1 = WA + 1 - A_SIGN;
    localparam int W1 = WW + 1 - W_SIGN;
    logic signed [A1-1:0] sa;
    logic signed [W1-1:0] sw;
    logic signed [A1+W1-1:0] full;
    assign sa = A1'(a);
    assign sw = W1'(w);
    if (ALONE == 1) begin : g_alone  // yosys 0.70 (ice40_dsp) drops every second multiplier before an adder
      (* keep *) logic signed [A1+W1-1:0] kept;
      always_ff @(posedge clk) kept <= sa * sw;
      assign full = kept;
    end else begin : g_block
      (* use_dsp = "yes" *) logic signed [A1+W1-1:0] free;
      always_ff @(posedge clk) free <= sa * sw;
      assign full = free;
    end
    assign y = full[WY-1:0];
    logic unused_top;
    assign unused_top = ^full;
  end else begin : g_rows
    logic [WA+WW-1:0] full;
    if (WA < WW) begin : g_by_a
      bitsmith_rows #(.WX(WW), .X_SIGN(W_SIGN), .N(WA), .N_SIGN(A_SIGN)) rows (.clk(clk), .x(w), .n(a), .y(full));
    end else begin : g_by_w
      bitsmith_rows #(.WX(WA), .X_SIGN(A_SIGN), .N(WW), .N_SIGN(W_SIGN)) rows (.clk(clk), .x(a), .n(w), .y(full));
    end
    assign y = WY'(full);
  end
endmodule
