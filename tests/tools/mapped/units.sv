// Small circuits that make yosys use each kind of cell: y follows x, one step per enabled clock cycle.

// ROM with a registered output.
module unit_rom #(
    parameter int WIDTH = 8, DEPTH = 256,
    parameter FILE = "",
    parameter STYLE = "auto"
) (
    input  logic clk, en,
    input  logic [63:0] x,
    output logic [WIDTH-1:0] y
);
  (* ram_style = STYLE, rom_style = STYLE *) logic [WIDTH-1:0] words[DEPTH];
  if (FILE != "") initial $readmemh(FILE, words);
  initial y = '0;
  always_ff @(posedge clk) if (en) y <= words[x[$clog2(DEPTH)-1:0]];
endmodule

// RAM with one port that writes and one that reads; what is read of a word being written is its old content.
module unit_ram #(
    parameter int WIDTH = 8, DEPTH = 256, BYTE = 8,
    parameter FILE = "",
    parameter STYLE = "auto"
) (
    input  logic clk, en,
    input  logic [63:0] x,
    output logic [WIDTH-1:0] y
);
  localparam int A = $clog2(DEPTH);
  (* ram_style = STYLE *) logic [WIDTH-1:0] words[DEPTH];
  if (FILE != "") initial $readmemh(FILE, words);
  initial y = '0;
  logic [WIDTH-1:0] data;
  assign data = WIDTH'({4{x[63:32] ^ 32'h5a96c3e1}} ^ {x, x[31:0], x[63:32]});
  always_ff @(posedge clk)
    if (en) begin
      for (int i = 0; i * BYTE < WIDTH; i++)
        if (x[24+i%8] || x[29]) words[x[A-1:0]][i*BYTE+:BYTE] <= data[i*BYTE+:BYTE];
      y <= words[x[12+:A]];
    end
endmodule

// RAM with one port; MODE: what a write leaves at the output, 0 the word before, 1 the new word, 2 the old word.
module unit_port #(
    parameter int WIDTH = 8, DEPTH = 256, MODE = 0,
    parameter FILE = "",
    parameter STYLE = "auto"
) (
    input  logic clk, en,
    input  logic [63:0] x,
    output logic [WIDTH-1:0] y
);
  localparam int A = $clog2(DEPTH);
  (* ram_style = STYLE *) logic [WIDTH-1:0] words[DEPTH];
  if (FILE != "") initial $readmemh(FILE, words);
  initial y = '0;
  logic [WIDTH-1:0] data;
  assign data = WIDTH'({4{x[63:32]}});
  always_ff @(posedge clk)
    if (en) begin
      if (x[31]) words[x[A-1:0]] <= data;
      if (MODE == 2 || !x[31]) y <= words[x[A-1:0]];
      else if (MODE == 1) y <= data;
    end
endmodule

// Distributed RAM: read without a register.
module unit_lutram #(
    parameter int WIDTH = 4, DEPTH = 16,
    parameter FILE = "",
    parameter STYLE = "auto"
) (
    input  logic clk, en,
    input  logic [63:0] x,
    output logic [WIDTH-1:0] y
);
  localparam int A = $clog2(DEPTH);
  (* ram_style = STYLE *) logic [WIDTH-1:0] words[DEPTH];
  if (FILE != "") initial $readmemh(FILE, words);
  initial y = '0;
  logic [WIDTH-1:0] read;
  assign read = words[x[12+:A]];
  always_ff @(posedge clk)
    if (en) begin
      if (x[31]) words[x[A-1:0]] <= WIDTH'({2{x[63:32]}});
      y <= read;
    end
endmodule

// Product; STAGES registers before, in and behind it.
module unit_mul #(
    parameter int A = 8, B = 8,
    parameter bit A_SIGNED = 1, B_SIGNED = 1,
    parameter int STAGES = 0
) (
    input  logic clk, en,
    input  logic [63:0] x,
    output logic [A+B-1:0] y
);
  logic signed [A:0] a;
  logic signed [B:0] b;
  logic signed [A+B+1:0] p;
  initial y = '0;
  if (STAGES == 0) begin : g_plain
    assign a = {A_SIGNED && x[A-1], x[A-1:0]};
    assign b = {B_SIGNED && x[32+B-1], x[32+:B]};
    assign p = a * b;
  end else begin : g_stages
    initial {a, b, p} = '0;
    always_ff @(posedge clk)
      if (en) begin
        a <= {A_SIGNED && x[A-1], x[A-1:0]};
        b <= {B_SIGNED && x[32+B-1], x[32+:B]};
        p <= a * b;
      end
  end
  always_ff @(posedge clk) if (en) y <= p[A+B-1:0];
endmodule

// Multiply and add up, started anew now and then; SUBTRACT takes the products away.
module unit_mac #(
    parameter int W = 8, SUM = 24,
    parameter bit IS_SIGNED = 1, SUBTRACT = 0
) (
    input  logic clk, en,
    input  logic [63:0] x,
    output logic [SUM-1:0] y
);
  logic signed [W:0] a, b;
  logic signed [SUM-1:0] sum;
  logic first;
  initial {a, b, sum, first} = '0;
  always_ff @(posedge clk)
    if (en) begin
      a <= {IS_SIGNED && x[W-1], x[W-1:0]};
      b <= {IS_SIGNED && x[32+W-1], x[32+:W]};
      first <= x[63:62] == 2'd0;
      if (first) sum <= SUBTRACT ? -(a * b) : a * b;
      else sum <= SUBTRACT ? sum - a * b : sum + a * b;
    end
  assign y = sum;
endmodule

// Delay line; RESET clears it, so that it cannot become a shift register in LUTs.
module unit_delay #(
    parameter int WIDTH = 4, LENGTH = 10,
    parameter bit RESET = 0
) (
    input  logic clk, en,
    input  logic [63:0] x,
    output logic [WIDTH-1:0] y
);
  logic [WIDTH-1:0] line[LENGTH];
  initial for (int i = 0; i < LENGTH; i++) line[i] = '0;
  always_ff @(posedge clk)
    for (int i = 0; i < LENGTH; i++)
      if (RESET && x[63:61] == 3'd0) line[i] <= '0;
      else if (en) line[i] <= i == 0 ? x[WIDTH-1:0] : line[(i+LENGTH-1)%LENGTH];
  assign y = line[LENGTH-1];
endmodule

// Adders, comparators, wide multiplexers and every kind of flip-flop.
module unit_logic (
    input  logic clk, en,
    input  logic [63:0] x,
    output logic [63:0] y
);
  logic [19:0] sum, difference, counted;
  logic [2:0] compared;
  logic chosen, set, cleared, async_set, async_cleared;
  logic [31:0] spread;
  initial {sum, difference, counted, compared, chosen, cleared, spread} = '0;
  initial set = 1'b1;
  always_ff @(posedge clk) begin
    if (en) sum <= x[19:0] + x[39:20];
    difference <= x[19:0] - x[39:20] - 20'(x[40]);
    if (x[7:0] == 8'h3c) counted <= '0;
    else if (en) counted <= counted + 20'd7;
    compared <= {x[19:0] < x[39:20], $signed(x[11:0]) >= $signed(x[31:20]), x[15:0] == {x[47:40], x[7:0]}};
    chosen <= x[x[63:58]];
    if (x[3:0] == 4'd5) set <= 1'b1;
    else if (en) set <= x[9];
    if (x[3:0] == 4'd6) cleared <= 1'b0;
    else cleared <= x[10];
    spread <= x[63:32] << x[4:0];
  end
  logic low;
  initial {low, async_cleared} = '0;
  initial async_set = 1'b1;
  always_ff @(posedge clk) low <= x[50:48] == 3'd0;
  always_ff @(posedge clk or posedge low) if (low) async_set <= 1'b1; else async_set <= x[11];
  always_ff @(posedge clk or posedge low) if (low) async_cleared <= 1'b0; else if (en) async_cleared <= x[12];
  assign y = 64'({sum ^ difference, counted[9:0], compared, chosen, set, cleared, async_set, async_cleared}) ^ {spread, 32'd0};
endmodule
