// Parameters per channel: the word of the present fold.  A step goes to the word of the next fold, which is there
// in the next cycle, since the memory always reads one ahead.  With one fold the word is a constant.
module bitsmith_fold_words #(
    parameter int                     FOLDS = 1,
    parameter int                     WIDTH = 8,
    parameter int                     BLOCK = 0,   // 1: block RAM, 0: logic
    parameter logic [WIDTH-1:0]       WORD  = 0,  // of the only fold
    parameter                         FILE  = ""   // else one word per fold and line, hex
) (
    input  logic             clk,
    input  logic             resetn,
    input  logic             step,
    output logic [WIDTH-1:0] q
);
  if (FOLDS == 1) begin : g_constant
    assign q = WORD;
    logic unused;
    assign unused = ^{clk, resetn, step};
  end else begin : g_many
    localparam int W = $clog2(FOLDS);
    logic [W-1:0] fold, next;
    assign next = !step ? fold : fold == W'(FOLDS - 1) ? '0 : fold + W'(1);
    always_ff @(posedge clk) fold <= resetn ? next : '0;
    bitsmith_rom #(.WIDTH(WIDTH), .DEPTH(FOLDS), .BLOCK(BLOCK), .FILE(FILE)) rom (.clk, .address(next), .q);
  end
endmodule
